/* The C interface of the Rust bridge (rust/src): tokenizers, chat templates and Parquet files.
 *
 * Functions return 0, or 1 with a message in `error`, which the caller then frees. Nothing else is
 * written on failure. What comes out through a pointer belongs to the caller: bytes go to
 * lathe_bytes_free, ids to lathe_ids_free, objects to the function named for them. What goes in
 * stays the caller's and is not read after the call.
 *
 * A tokenizer may be used by several threads at once, except in lathe_tokenizer_adjust; a template
 * as well. Trainers and Parquet readers belong to one thread at a time. Functions may use a pool of
 * threads of their own.
 */
#ifndef LATHE_BRIDGE_H
#define LATHE_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct LatheText { /* borrowed */
  const char* data;
  size_t size;
} LatheText;

typedef struct LatheBytes { /* owned */
  char* data;
  size_t size;
} LatheBytes;

typedef struct LatheIds { /* owned; the ids of text i end before ends[i] */
  uint32_t* ids;
  size_t size;
  size_t* ends;
  size_t texts;
} LatheIds;

void lathe_bytes_free(LatheBytes bytes);
void lathe_ids_free(LatheIds ids);

/* ---- tokenizers ------------------------------------------------------------------------------ */

typedef struct LatheTokenizer LatheTokenizer;

/* From the content of a tokenizer.json; its truncation and padding are left out. */
int32_t lathe_tokenizer_new(LatheText json, LatheTokenizer** out, LatheBytes* error);
void lathe_tokenizer_free(LatheTokenizer* tokenizer);

/* Adds tokens and, if "single" is no null, replaces what is put around a text (null in it is the
 * text): {"tokens": [...], "single": ["<s>", null] or null}, as `Changes` in rust/src/tokenizer.rs.
 */
int32_t lathe_tokenizer_adjust(LatheTokenizer* tokenizer, LatheText changes, LatheBytes* error);

/* Encodes `count` texts, several at once in parallel. Texts must be valid UTF-8. */
int32_t lathe_tokenizer_encode(const LatheTokenizer* tokenizer, const LatheText* texts,
                               size_t count, bool special, LatheIds* out, LatheBytes* error);

/* Encodes one text: three lists, the ids, and where in the text (bytes) the token of each begins
 * and ends. Tokens that stand for nothing in the text begin and end at the same place. */
int32_t lathe_tokenizer_encode_places(const LatheTokenizer* tokenizer, LatheText text, bool special,
                                      LatheIds* out, LatheBytes* error);

/* Ids without a token are left out. */
int32_t lathe_tokenizer_decode(const LatheTokenizer* tokenizer, const uint32_t* ids, size_t count,
                               bool skip_special, LatheBytes* out, LatheBytes* error);

/* The token of an id, and whether decoding may skip it. */
int32_t lathe_tokenizer_token(const LatheTokenizer* tokenizer, uint32_t id, LatheBytes* out,
                              bool* special, LatheBytes* error);

/* The id of a token; -1 if there is none. */
int32_t lathe_tokenizer_id(const LatheTokenizer* tokenizer, LatheText token, int64_t* out,
                           LatheBytes* error);

/* One more than the greatest id; below 2^24. */
uint32_t lathe_tokenizer_ids(const LatheTokenizer* tokenizer);

enum { LATHE_TOKENIZER_JSON = 0, LATHE_TOKENIZER_DECODER = 1, LATHE_TOKENIZER_MODEL = 2 };

/* The whole tokenizer.json, its decoder as JSON, or the name of its model. */
int32_t lathe_tokenizer_part(const LatheTokenizer* tokenizer, uint32_t part, LatheBytes* out,
                             LatheBytes* error);

/* ---- chat templates -------------------------------------------------------------------------- */

typedef struct LatheTemplate LatheTemplate;

/* JSON texts, of which all but `messages` may be empty. `variables` is an object. Time is local, in
 * seconds since 1970. */
typedef struct LatheChat {
  LatheText messages, tools, documents, variables;
  bool add_generation_prompt;
  bool continue_final_message;
  bool has_time;
  int64_t time;
} LatheChat;

/* `name` stands in messages about the template, with the line. `special_tokens` is a JSON object of
 * texts, which are variables. */
int32_t lathe_template_new(LatheText name, LatheText source, LatheText special_tokens,
                           LatheTemplate** out, LatheBytes* error);
void lathe_template_free(LatheTemplate* chat_template);

/* `assistant` is two lists: where in the text (bytes) what the assistant wrote begins and ends. */
int32_t lathe_template_render(const LatheTemplate* chat_template, const LatheChat* chat,
                              LatheBytes* text, LatheIds* assistant, LatheBytes* error);

/* ---- training tokenizers --------------------------------------------------------------------- */

typedef struct LatheTrainer LatheTrainer;

/* `config` is the JSON of `Config` in rust/src/trainer.rs. */
int32_t lathe_trainer_new(LatheText config, LatheTrainer** out, LatheBytes* error);
void lathe_trainer_free(LatheTrainer* trainer);

/* Counts the words of texts: distinct words so far, and occurrences forgotten for lack of memory.
 */
int32_t lathe_trainer_feed(LatheTrainer* trainer, const LatheText* texts, size_t count,
                           uint64_t* words, uint64_t* dropped, LatheBytes* error);

/* Called now and then during training: tokens there are, and tokens wanted. */
typedef void (*LatheProgress)(void* context, const char* stage, uint64_t done, uint64_t total);

/* Trains, and frees the trainer whatever happens. `progress` may be null and must not throw. */
int32_t lathe_trainer_finish(LatheTrainer* trainer, LatheProgress progress, void* context,
                             LatheTokenizer** out, LatheBytes* error);

/* ---- regular expressions --------------------------------------------------------------------- */

/* Whether `expression` matches the whole text, in time linear in its length. */
int32_t lathe_regex_full_match(LatheText expression, LatheText text, bool* out, LatheBytes* error);

/* ---- Parquet --------------------------------------------------------------------------------- */

typedef struct LatheParquet LatheParquet;

/* `columns` is a JSON array of names of top-level columns; empty for all. */
int32_t lathe_parquet_open(LatheText path, LatheText columns, LatheParquet** out,
                           LatheBytes* error);
void lathe_parquet_free(LatheParquet* rows);

/* The next rows as JSON objects, each followed by a line feed; empty at the end. */
int32_t lathe_parquet_next(LatheParquet* rows, LatheBytes* out, LatheBytes* error);

#ifdef __cplusplus
}
#endif

#endif
