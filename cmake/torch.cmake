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
set(TORCH_DIR "${TORCH_DIR}" CACHE PATH "folder of libtorch: the one with include/ and lib/" FORCE)
if(NOT EXISTS "${TORCH_DIR}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "libtorch: expected ${TORCH_DIR}/lib/libtorch_cpu.so, found nothing there. "
                      "Run scripts/setup.sh, or give -DTORCH_DIR=…/site-packages/torch")
endif()

# The wheel's libtorch_cpu.so needs libcudart and libcupti even on a machine without a GPU.
get_filename_component(site_packages "${TORCH_DIR}" DIRECTORY)
file(GLOB nvidia_dirs "${site_packages}/nvidia/*/lib")
file(GLOB nvidia_libs "${site_packages}/nvidia/*/lib/libcudart.so.*" "${site_packages}/nvidia/*/lib/libcupti.so.*")

add_library(torch INTERFACE)
target_include_directories(torch SYSTEM INTERFACE
  $<BUILD_INTERFACE:${TORCH_DIR}/include>
  $<BUILD_INTERFACE:${TORCH_DIR}/include/torch/csrc/api/include>)
target_compile_definitions(torch INTERFACE FMT_HEADER_ONLY)
target_link_options(torch INTERFACE "-Wl,-rpath,${TORCH_DIR}/lib")
foreach(dir ${nvidia_dirs})
  target_link_options(torch INTERFACE "-Wl,-rpath-link,${dir}")
endforeach()
target_link_libraries(torch INTERFACE
  "${TORCH_DIR}/lib/libtorch_cpu.so" "${TORCH_DIR}/lib/libc10.so" ${nvidia_libs})
if(LATHE_CUDA)
  target_link_libraries(torch INTERFACE
    "-Wl,--no-as-needed ${TORCH_DIR}/lib/libtorch_cuda.so ${TORCH_DIR}/lib/libc10_cuda.so -Wl,--as-needed")
endif()
