// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/new_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::size_t files_in(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(NewFile, AppearsWhenItIsPublished) {
  const TestDirectory directory;
  const fs::path path = directory.path() / "x";
  NewFile file(path);
  file.append(bytes_of("ab"));
  file.append(bytes_of("c"));
  EXPECT_EQ(file.size(), 3U);
  EXPECT_FALSE(fs::exists(path));
  NewFile same = std::move(file);
  same.publish();
  EXPECT_EQ(text_of(path), "abc");
  EXPECT_EQ(files_in(directory.path()), 1U);
}

TEST(NewFile, IsGoneWhenItIsNot) {
  const TestDirectory directory;
  {
    NewFile file(directory.path() / "x");
    file.append(bytes_of("ab"));
    EXPECT_EQ(files_in(directory.path()), 1U);
  }
  EXPECT_EQ(files_in(directory.path()), 0U);
}

TEST(NewFile, NothingIsOverwritten) {
  const TestDirectory directory;
  const fs::path path = directory.path() / "x";
  NewFile file(path);
  file.append(bytes_of("new"));
  std::ofstream(path) << "old";  // meanwhile
  EXPECT_EQ(error_of([&] { file.publish(); }),
            path.string() + ": got a file that is there, expected a new name");
  EXPECT_EQ(error_of([&] { NewFile again(path); }),
            path.string() + ": got a file that is there, expected a new name");
  EXPECT_EQ(text_of(path), "old");
  const fs::path nowhere = directory.path() / "none" / "x";
  EXPECT_EQ(error_of([&] { NewFile again(nowhere); }),
            nowhere.string() + ": got no directory to make it in, expected one");
}

TEST(NewDirectory, AppearsWhenItIsPublishedAndIsGoneWhenItIsNot) {
  const TestDirectory directory;
  const fs::path path = directory.path() / "x";
  {
    NewDirectory making(path);
    write_text(making.path() / "a", "1");
  }
  EXPECT_EQ(files_in(directory.path()), 0U);
  NewDirectory making(path);
  write_text(making.path() / "a", "2");
  EXPECT_FALSE(fs::exists(path));
  making.publish();
  EXPECT_EQ(text_of(path / "a"), "2");
  EXPECT_EQ(error_of([&] { NewDirectory again(path); }),
            path.string() + ": got something that is there, expected an empty directory or none");
}

TEST(NewFile, SpaceIsAskedFor) {
  EXPECT_NE(error_of([] { require_space("/", ~std::size_t{0} >> 8); }).find(" MiB of free space"),
            std::string::npos);
}

}  // namespace
}  // namespace assay
