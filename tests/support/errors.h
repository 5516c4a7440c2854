// What an operation that must fail says.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lathe/base/error.h"

namespace lathe {

/// The message of the Error that `run` throws; "no error" if it throws none.
template <class Run>
std::string message_of(Run run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// Whether a message of message_of is one of an error, with `part` in it.
inline testing::AssertionResult says(const std::string& message, std::string_view part) {
  if (!message.starts_with("no error") && message.find(part) != message.npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "expected an error with \"" << part << "\", found: " << message.substr(0, 1000);
}

}  // namespace lathe
