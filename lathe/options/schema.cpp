#include <nlohmann/json.hpp>

#include "lathe/options/document.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;
using Kind = FieldType::Kind;

Json type_schema(const FieldType& type, const Field& field);

void add_bounds(Json& schema, const Field& field) {
  if (field.minimum) schema["minimum"] = *field.minimum;
  if (field.above) schema["exclusiveMinimum"] = *field.above;
  if (field.maximum) schema["maximum"] = *field.maximum;
  if (field.below) schema["exclusiveMaximum"] = *field.below;
}

Json map_schema(const FieldType& type) {
  Json properties = Json::object(), given = Json::array();
  for (const FieldDoc& field : type.fields) {
    if (field.field.command_line) continue;
    Json schema = type_schema(field.type, field.field);
    schema["description"] = field.doc;
    if (!field.default_value.is_null() && !field.field.required)
      schema["default"] = Json::parse(to_json(field.default_value));
    properties[field.name] = schema;
    Json any = Json::array({Json{{"required", {field.name}}}});
    for (const std::string& alias : field.field.aliases) {
      properties[alias] = schema;
      any.push_back({{"required", {alias}}});
    }
    if (field.field.required) given.push_back(any.size() == 1 ? any[0] : Json{{"anyOf", any}});
  }
  Json schema{{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!given.empty()) schema["allOf"] = given;
  return schema;
}

Json bare_schema(const FieldType& type, const Field& field) {
  switch (type.kind) {
    case Kind::boolean:
      return {{"type", "boolean"}};
    case Kind::integer:
    case Kind::number: {
      Json schema{{"type", type.kind == Kind::integer ? "integer" : "number"}};
      add_bounds(schema, field);
      return schema;
    }
    case Kind::text:
      if (!field.choices.empty()) return {{"enum", field.choices}};
      // YAML takes `run_name: 7` for a number, which a text option reads as it is written.
      return {{"type", {"string", "number", "boolean"}}};
    case Kind::list: {
      const Json element = type_schema(type.element.front(), field);
      return {{"anyOf", {element, {{"type", "array"}, {"items", element}}}}};
    }
    case Kind::map: {
      Json map = map_schema(type);
      if (type.scalar_field.empty()) return map;
      return {{"anyOf", {Json{{"type", "string"}}, map}}};
    }
    case Kind::any:
      return Json::object();
  }
  return Json::object();
}

Json type_schema(const FieldType& type, const Field& field) {
  Json schema = bare_schema(type, field);
  if (!type.optional) return schema;
  return {{"anyOf", {schema, Json{{"type", "null"}}}}};
}

}  // namespace

std::string options_schema(const FieldType& type, const std::string& title) {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  schema.update(map_schema(type));
  return schema.dump(2) + "\n";
}

}  // namespace lathe
