// What a training or evaluation step reads: rows of tokens. Letters: B rows, T positions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lathe/base/tensor.h"

namespace lathe {

/// The label of a position that is no target, as in transformers.
inline constexpr int64_t ignored_label = -100;

/// Rows of tokens on one device. A row may hold several documents, one after the other.
struct Batch {
  /// (B, T) int64; padding has the tokenizer's pad (or eos) id.
  Tensor input_ids;
  /// (B, T) int64, as in transformers: labels[b,t] is input_ids[b,t] where that token is a target,
  /// otherwise `ignored_label` (padding, the first token of every document or part of one in a row,
  /// masked prompts). Not shifted: the objective predicts labels[b,t] from the positions before t.
  Tensor labels;
  /// (B, T) int64, counts from 0 within each document (or part of one) of a row; 0 for padding.
  Tensor position_ids;
  /// (B, T) int32, the number of the document within its row, counted from 0; -1 for padding.
  /// Attention does not cross segments.
  Tensor segment_ids;
  /// Of texts with labels, N of them: where the last token of each is, (N) int64 in the B*T
  /// positions, and what the outputs of a classifier should be, (N, outputs) float32
  /// (LabelSet::target).
  Tensor ends = {}, targets = {};
  /// What the layers below `first_layer` make of the tokens, (B, T, D), where that is known
  /// already; undefined: all layers have to read them.
  Tensor states = {};
  int64_t first_layer = 0;
  /// What is added to the embeddings of the tokens, (B, T, D); undefined: nothing.
  Tensor embedding_noise = {};
  /// Of each row the number of its adapter, -1: none; empty where rows do not choose.
  std::vector<int64_t> adapters = {};
  /// Where what is learned drops something at random: the seed of that.
  std::optional<uint64_t> dropout_seed = {};
  /// How many labels are targets, in all rows.
  int64_t target_tokens = 0;
  /// Bytes of text of the documents that begin in these rows; nothing where not all of a text is
  /// learned. Over a whole evaluation set: bits per byte = nats / ln 2 / text_bytes.
  std::optional<int64_t> text_bytes = 0;

  int64_t rows() const { return input_ids.size(0); }
  int64_t length() const { return input_ids.size(1); }
  /// The same batch on `device`; shares what is there already.
  Batch to(const at::Device& device) const;
};

}  // namespace lathe
