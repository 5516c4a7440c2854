#include "cli/publish.h"

#include <unistd.h>

#include "lathe/model/files.h"

namespace lathe {

void publish_model(Model& model, const Tokenizer* tokenizer, const fs::path& directory) {
  fs::path temporary = directory;
  temporary += format(".tmp-{}", ::getpid());
  file_ops().remove_all(temporary);
  file_ops().make_directories(temporary);
  save_model(model, temporary);
  if (tokenizer != nullptr) tokenizer->save(temporary);
  file_ops().remove_all(directory);  // the run's checkpoint can make it again
  publish_directory(temporary, directory);
}

}  // namespace lathe
