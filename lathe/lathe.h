// The public interface of the library, in the order in which data passes through it.
#pragma once

// The order is the point.
// clang-format off
#include "lathe/base/error.h"            // what is thrown
#include "lathe/base/file.h"             // files that survive a crash
#include "lathe/text/train_tokenizer.h"  // text -> Tokenizer
#include "lathe/text/tokenizer.h"        // text <-> ids
#include "lathe/data/dataset.h"          // files -> batches
#include "lathe/model/model.h"           // Model, new_model
#include "lathe/model/files.h"           // load_model, save_model
#include "lathe/objective/next_token.h"  // what is minimised
#include "lathe/optim/optimizer.h"       // AdamW
#include "lathe/parallel/parallel.h"     // processes
#include "lathe/train/evaluate.h"        // loss without training
#include "lathe/train/loop.h"            // train
#include "lathe/adapt/adapter.h"         // Adapter: LoRA and its kin
#include "lathe/generate/generate.h"     // text from a model
// clang-format on
