// Headers that are wrong in ways nobody thought of: real ones, changed at random.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "lathe/base/error.h"
#include "lathe/base/file.h"
#include "lathe/base/random.h"
#include "lathe/io/safetensors.h"

namespace lathe {
namespace {

struct Seed {
  std::string header;
  uint64_t data_bytes;
};

Seed load_seed(const char* name) {
  const std::string file = read_file(fs::path(LATHE_TEST_DATA) / "golden/safetensors" / name);
  uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  return {file.substr(8, length), file.size() - 8 - length};
}

/// One change: a byte, a piece left out, doubled or moved, or a token from a list of nasty ones.
void mutate(std::string& text, Random& random) {
  static constexpr std::string_view tokens[] = {"{",
                                                "}",
                                                "[",
                                                "]",
                                                ",",
                                                ":",
                                                "\"",
                                                "0",
                                                "-1",
                                                "1e1",
                                                "0.5",
                                                "18446744073709551615",
                                                "18446744073709551616",
                                                "9223372036854775807",
                                                "4611686018427387904",
                                                "null",
                                                "true",
                                                "\\u0000",
                                                "\\ud800",
                                                "\xff",
                                                " ",
                                                "\"U8\"",
                                                "\"F4\"",
                                                "\"dtype\":",
                                                "\"__metadata__\":{},",
                                                "\"shape\":[0],",
                                                "[[[[",
                                                "\"data_offsets\":[0,0],"};
  const size_t at = random.below(text.size() + 1);
  const size_t length = random.below(std::min<size_t>(40, text.size() - at) + 1);
  switch (random.below(6)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(random.below(256));
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(random.below(text.size() + 1), text.substr(at, length));
      break;
    case 3:
      text.insert(at, tokens[random.below(std::size(tokens))]);
      break;
    case 4:
      text.replace(at, length, tokens[random.below(std::size(tokens))]);
      break;
    default: {  // a digit, so that most mutants stay JSON and reach the checks behind it
      const size_t digit = text.find_first_of("0123456789", at);
      if (digit != text.npos) text[digit] = static_cast<char>('0' + random.below(10));
    }
  }
}

/// The rules of the format, told without the reader: the tensors cover the data exactly once.
void check_rules(const SafetensorsHeader& header, uint64_t data_bytes) {
  std::vector<int> covered(data_bytes, 0);
  for (size_t i = 0; i < header.tensors.size(); ++i) {
    const TensorInfo& tensor = header.tensors[i];
    if (i > 0) {
      EXPECT_LT(header.tensors[i - 1].name, tensor.name);
    }
    unsigned __int128 bits = static_cast<unsigned __int128>(dtype_bits(tensor.dtype));
    for (const int64_t size : tensor.shape) {
      ASSERT_GE(size, 0);
      bits *= static_cast<unsigned __int128>(size);
      ASSERT_LT(bits >> 100, 1u);
    }
    EXPECT_TRUE(bits == static_cast<unsigned __int128>(tensor.bytes) * 8);
    ASSERT_LE(tensor.offset, data_bytes);
    ASSERT_LE(tensor.bytes, data_bytes - tensor.offset);
    for (uint64_t b = 0; b < tensor.bytes; ++b) ++covered[tensor.offset + b];
  }
  EXPECT_TRUE(std::ranges::all_of(covered, [](int times) { return times == 1; }));
}

TEST(SafetensorsMutation, whatever_is_accepted_follows_the_rules) {
  Random random(stream_seed(1, "safetensors mutation"));
  int accepted = 0, refused = 0;
  for (const char* name : {"all_dtypes.safetensors", "shapes.safetensors"}) {
    const Seed seed = load_seed(name);
    for (int i = 0; i < 3000; ++i) {
      std::string header = seed.header;
      for (uint64_t changes = 1 + random.below(3); changes > 0; --changes) mutate(header, random);
      try {
        const SafetensorsHeader parsed = parse_safetensors_header(header, seed.data_bytes);
        ++accepted;
        check_rules(parsed, seed.data_bytes);
      } catch (const Error&) {
        ++refused;
      }
      if (HasFatalFailure() || HasNonfatalFailure()) FAIL() << header;
    }
  }
  // Both happen, or the test tests nothing: names and the text of metadata may change freely.
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 3000);
}

}  // namespace
}  // namespace lathe
