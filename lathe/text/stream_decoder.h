// Decoding while tokens arrive one by one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lathe/text/tokenizer.h"

namespace lathe {

/// Gives out text as soon as no later token can change it: all that was given out and what finish()
/// returns is together what Tokenizer::decode makes of all ids. Held back are incomplete UTF-8,
/// runs of byte tokens (each is valid as a whole or not at all), and spaces that cleaning up may
/// remove. With a decoder that has no such boundary everything is held until finish().
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool skip_special_tokens = true);

  /// The text that has become final with this id; often empty.
  std::string add(int32_t id);
  /// The rest. The decoder then begins anew.
  std::string finish();

 private:
  /// Bytes of the window's text that later tokens cannot change.
  size_t stable_bytes(const std::string& text) const;
  void shorten_window(const std::string& text, bool all_given);
  std::string clean(std::string text, bool last);
  bool is_byte_token(int32_t id) const;

  Tokenizer tokenizer_;
  bool skip_special_tokens_;
  bool bytes_ = false;        // the decoder joins bytes over tokens
  bool byte_tokens_ = false;  // it joins runs of tokens such as <0xE4>
  bool holds_all_ = false;
  std::vector<int32_t> window_;  // the last ids; those before do not matter any more
  size_t given_ = 0;             // bytes of the window's text that were given out
  std::string uncleaned_;        // final text before spaces are cleaned up
};

}  // namespace lathe
