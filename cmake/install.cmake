# `cmake --install`: a tree that works wherever it is moved, on a machine with the same C library.
#
#   bin/lathe            the program
#   include/lathe/       the headers of the library
#   lib/liblathe.a       the library; find_package(lathe) finds lib/cmake/lathe
#   lib/lathe/           what both need at run time: libtorch and its libraries, the bridge,
#                        and in include/ the headers of libtorch
#   share/doc/lathe/     licenses

set(private lib/lathe)

if(TARGET lathe_cli)
  set_target_properties(lathe_cli PROPERTIES INSTALL_RPATH "$ORIGIN/../${private}")
  install(TARGETS lathe_cli RUNTIME DESTINATION bin)
endif()
install(TARGETS lathe ARCHIVE DESTINATION lib)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/lathe DESTINATION include FILES_MATCHING PATTERN "*.h")
install(FILES ${bridge_library} DESTINATION ${private} RENAME liblathe_bridge.a)
foreach(folder ATen c10 caffe2 fmt torch)
  install(DIRECTORY ${TORCH_DIR}/include/${folder} DESTINATION ${private}/include)
endforeach()

# Shared libraries besides libtorch: those of the modules' LIBRARIES that are shared.
set(shared_libraries "")
set(shared_names "")
get_property(libraries GLOBAL PROPERTY lathe_libraries)
list(REMOVE_DUPLICATES libraries)
foreach(library ${libraries})
  if(TARGET ${library}::${library})  # the name `yaml-cpp` is a wrapper in newer versions
    set(library ${library}::${library})
  endif()
  if(TARGET ${library})
    get_target_property(type ${library} TYPE)
    if(type STREQUAL SHARED_LIBRARY)
      list(APPEND shared_libraries $<TARGET_SONAME_FILE:${library}>)
      list(APPEND shared_names $<TARGET_SONAME_FILE_NAME:${library}>)
    endif()
  endif()
endforeach()

# libtorch, and all it asks for that is not part of every system. With a GPU also what is only
# loaded by name at run time (cuDNN's parts, the kernels' compiler), so everything of the wheels.
list(TRANSFORM torch_required REPLACE "(.+)" "${TORCH_DIR}/lib/lib\\1.so" OUTPUT_VARIABLE torch_files)
set(whole_folders "")
if(LATHE_CUDA)
  set(whole_folders ${TORCH_DIR}/lib ${torch_nvidia_dirs})
endif()
string(CONFIGURE [[
  file(GET_RUNTIME_DEPENDENCIES LIBRARIES @torch_files@ @shared_libraries@
    RESOLVED_DEPENDENCIES_VAR needed UNRESOLVED_DEPENDENCIES_VAR missing
    PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|util|pthread|stdc\\+\\+|gcc_s|cuda)\\.so\\.")
  if(missing)
    message(FATAL_ERROR "installing: libtorch needs libraries that are not there: ${missing}")
  endif()
  foreach(folder @whole_folders@)
    file(GLOB all "${folder}/*.so" "${folder}/*.so.*")
    list(FILTER all EXCLUDE REGEX "/lib(torch_python|shm)\\.so$")
    list(APPEND needed ${all})
  endforeach()
  file(INSTALL @torch_files@ @shared_libraries@ ${needed} FOLLOW_SYMLINK_CHAIN
    DESTINATION "${CMAKE_INSTALL_PREFIX}/@private@")
]] copy_libraries @ONLY)
install(CODE "${copy_libraries}")

file(GLOB license_folders "${site_packages}/torch-*.dist-info/licenses" "${site_packages}/nvidia_*.dist-info/licenses")
foreach(folder ${license_folders})
  string(REGEX REPLACE ".*/([^/]*)\\.dist-info/licenses$" "\\1" wheel ${folder})
  install(DIRECTORY ${folder}/ DESTINATION share/doc/lathe/licenses/${wheel})
endforeach()
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION share/doc/lathe)

include(CMakePackageConfigHelpers)
configure_file(${CMAKE_SOURCE_DIR}/cmake/latheConfig.cmake.in ${CMAKE_BINARY_DIR}/latheConfig.cmake.in @ONLY)
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/latheConfig.cmake INPUT ${CMAKE_BINARY_DIR}/latheConfig.cmake.in)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/latheConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/latheConfig.cmake ${CMAKE_BINARY_DIR}/latheConfigVersion.cmake
  DESTINATION lib/cmake/lathe)
