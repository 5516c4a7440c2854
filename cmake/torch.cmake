# Finds the libtorch inside a torch wheel (or any libtorch) and defines the imported target `torch`.
#
#   TORCH_DIR    folder that holds include/ and lib/ (…/site-packages/torch); by default that of .deps/torch
#   LATHE_CUDA   also links the GPU libraries
#
# find_package(Torch) is not used: the wheel's own package file asks for a CUDA toolkit.

if(NOT TORCH_DIR)
  file(GLOB candidates "${CMAKE_SOURCE_DIR}/.deps/torch/lib/python3*/site-packages/torch")
  list(POP_FRONT candidates TORCH_DIR)
endif()
get_filename_component(TORCH_DIR "${TORCH_DIR}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
set(TORCH_DIR "${TORCH_DIR}" CACHE PATH "folder of libtorch: the one with include/ and lib/" FORCE)
set(torch_required torch_cpu c10)
if(LATHE_CUDA)
  list(APPEND torch_required torch_cuda c10_cuda)
endif()
foreach(library ${torch_required})
  if(NOT EXISTS "${TORCH_DIR}/lib/lib${library}.so")
    message(FATAL_ERROR "libtorch: expected ${TORCH_DIR}/lib/lib${library}.so, found nothing there. "
                        "Run scripts/setup.sh, or give -DTORCH_DIR=…/site-packages/torch")
  endif()
endforeach()

# The wheel's libtorch_cpu.so needs libcudart and libcupti even on a machine without a GPU. It finds
# them by itself when it is loaded; the linker has to be told where they are.
get_filename_component(site_packages "${TORCH_DIR}" DIRECTORY)
file(GLOB torch_nvidia_dirs "${site_packages}/nvidia/*/lib")

add_library(torch INTERFACE)
target_include_directories(torch SYSTEM INTERFACE
  $<BUILD_INTERFACE:${TORCH_DIR}/include>
  $<BUILD_INTERFACE:${TORCH_DIR}/include/torch/csrc/api/include>)
# at::parallel_for is a template of libtorch's headers that runs on one thread unless OpenMP is on where it
# is used. The run time must be the one libtorch itself loads: two would compete for the cores.
set(torch_openmp_flag -fopenmp)
target_compile_options(torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${torch_openmp_flag}>)
if(EXISTS "${TORCH_DIR}/lib/libgomp.so.1")
  target_link_libraries(torch INTERFACE "${TORCH_DIR}/lib/libgomp.so.1")
else()
  target_link_options(torch INTERFACE ${torch_openmp_flag})
endif()
foreach(dir ${torch_nvidia_dirs})
  target_link_options(torch INTERFACE "-Wl,-rpath-link,${dir}")
endforeach()
target_link_libraries(torch INTERFACE "${TORCH_DIR}/lib/libtorch_cpu.so" "${TORCH_DIR}/lib/libc10.so")
if(LATHE_CUDA)  # nothing names a symbol of theirs: loading them registers the GPU
  target_link_libraries(torch INTERFACE
    "-Wl,--no-as-needed ${TORCH_DIR}/lib/libtorch_cuda.so ${TORCH_DIR}/lib/libc10_cuda.so -Wl,--as-needed")
endif()
list(APPEND CMAKE_BUILD_RPATH "${TORCH_DIR}/lib")
