// Reference pages made from a fields() table.
#pragma once

#include <string>

#include "lathe/options/field.h"

namespace lathe {

/// Markdown: one table a group, nested structs below, at heading level `level`.
std::string options_markdown(const FieldType& type, int level);

/// A recipe with every option at its default, each with its documentation as a comment.
std::string options_yaml(const FieldType& type);

/// JSON schema (draft 2020-12) of a recipe; aliases are properties too.
std::string options_schema(const FieldType& type, const std::string& title);

}  // namespace lathe
