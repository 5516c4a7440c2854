#pragma once

#include "lathe/model/model.h"

namespace lathe {

/// Makes room for `count` tokens in the input embedding and the output layer. Each new row is the
/// mean of the old ones, so that a new token begins as likely as an average one and with an average
/// meaning. Throws Error if there are more tokens than that already.
void resize_token_embeddings(Model& model, int64_t count);

}  // namespace lathe
