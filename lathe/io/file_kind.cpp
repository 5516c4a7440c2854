#include "lathe/io/file_kind.h"

#include <array>

namespace lathe {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes;
  std::string_view kind;
};

constexpr std::array magics = {
    Magic{"PAR1"sv, "a Parquet file"sv},
    Magic{"GGUF"sv, "a GGUF file"sv},
    Magic{"PK\x03\x04"sv, "a zip archive, such as torch.save writes"sv},
    Magic{"\x80\x02"sv, "a Python pickle"sv},
    Magic{"\x80\x03"sv, "a Python pickle"sv},
    Magic{"\x80\x04"sv, "a Python pickle"sv},
    Magic{"\x80\x05"sv, "a Python pickle"sv},
    Magic{"\x1F\x8B"sv, "gzip-compressed data"sv},
    Magic{"\x28\xB5\x2F\xFD"sv, "zstd-compressed data"sv},
    Magic{"\xFD"
          "7zXZ\0"sv,
          "xz-compressed data"sv},
    Magic{"BZh"sv, "bzip2-compressed data"sv},
    Magic{"\x89HDF\r\n\x1A\n"sv, "an HDF5 file"sv},
    Magic{"ARROW1"sv, "an Arrow file"sv},
    Magic{"%PDF-"sv, "a PDF document"sv},
    Magic{"SQLite format 3\0"sv, "an SQLite database"sv},
    Magic{"version https://git-lfs"sv, "a Git LFS pointer: fetch the file itself with git lfs"sv},
    Magic{"<!DOCTYPE html"sv, "an HTML page"sv},
    Magic{"<html"sv, "an HTML page"sv},
    Magic{"\xFF\xFE"sv, "UTF-16 text: save it as UTF-8"sv},
    Magic{"\xFE\xFF"sv, "UTF-16 text: save it as UTF-8"sv},
};

}  // namespace

std::string_view file_kind(std::string_view head) {
  for (const Magic& magic : magics)
    if (head.starts_with(magic.bytes)) return magic.kind;
  return {};
}

}  // namespace lathe
