# cmake -DFOLDERS=a;b -DSOURCE=out.cpp -P source_hash.cmake
#   writes a C++ file with the hash of all sources in these folders (lathe/model/source_hash.h).
set(all "")
foreach(folder ${FOLDERS})
  file(GLOB_RECURSE sources ${folder}/*.h ${folder}/*.cpp)
  list(SORT sources)
  foreach(source ${sources})
    file(SHA256 ${source} hash)
    string(APPEND all "${hash}\n")
  endforeach()
endforeach()
string(SHA256 hash "${all}")
file(WRITE ${SOURCE} "#include \"lathe/model/source_hash.h\"\n\n"
  "namespace lathe {\n\nstd::string_view source_hash() {\n  return \"${hash}\";\n}\n\n}  // namespace lathe\n")
