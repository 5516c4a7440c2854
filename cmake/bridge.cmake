# The Rust bridge (rust/): tokenizers, chat templates, Parquet. Defines the imported target `lathe_bridge`.
# Built by cargo, or given ready-made with -DLATHE_BRIDGE=…/liblathe_bridge.a

if(LATHE_BRIDGE)
  set(bridge_library ${LATHE_BRIDGE})
else()
  set(bridge_library ${CMAKE_BINARY_DIR}/rust/release/liblathe_bridge.a)
  find_program(CARGO cargo HINTS ${CMAKE_SOURCE_DIR}/.deps/bin REQUIRED)  # there where set-up brought one
  file(GLOB_RECURSE bridge_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rust/src/*.rs)
  include(ProcessorCount)
  ProcessorCount(processors)
  math(EXPR cargo_jobs "(${processors} + 1) / 2")  # C++ is compiled at the same time
  add_custom_command(OUTPUT ${bridge_library}
    COMMAND ${CARGO} build --release --locked --quiet --jobs ${cargo_jobs} --manifest-path ${CMAKE_SOURCE_DIR}/rust/Cargo.toml
            --target-dir ${CMAKE_BINARY_DIR}/rust
    DEPENDS ${bridge_sources} ${CMAKE_SOURCE_DIR}/rust/Cargo.toml ${CMAKE_SOURCE_DIR}/rust/Cargo.lock
    COMMENT "Building the Rust bridge"
    USES_TERMINAL)
  add_custom_target(lathe_bridge_build ALL DEPENDS ${bridge_library})  # the library needs it only where it is installed
endif()

add_library(lathe_bridge INTERFACE)
target_include_directories(lathe_bridge INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
target_link_libraries(lathe_bridge INTERFACE $<BUILD_INTERFACE:${bridge_library}> dl pthread m)
# Ninja knows what makes the file that programs are linked with; a dependency of targets would have
# every file that includes the bridge's header wait for cargo.
if(TARGET lathe_bridge_build AND NOT CMAKE_GENERATOR MATCHES Ninja)
  add_dependencies(lathe_bridge lathe_bridge_build)
endif()
