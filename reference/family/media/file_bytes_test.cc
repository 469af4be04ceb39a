// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/file_bytes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "reference/family/media/media_file.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_limits.h"

namespace assay {
namespace {

TEST(FileBytes, AreAllOfThem) {
  const TestDirectory directory;
  const std::string content("a\0b\n", 4);
  const std::vector<std::byte> bytes = read_file_bytes(directory.write("x", content), 4);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), content);
  EXPECT_TRUE(read_file_bytes(directory.write("empty", ""), 4).empty());
}

TEST(FileBytes, WhatIsNoReadableFileIsSaidSo) {
  const TestDirectory directory;
  const auto error = [](const std::filesystem::path& path) {
    return error_within_limits([&] { read_media_file(path, MediaKind::kImage); });
  };
  const auto pipe = directory.path() / "pipe.png";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(error(pipe), "pipe.png: file: got a directory or a device, expected a regular file");
  std::filesystem::create_directory(directory.path() / "folder.png");
  EXPECT_EQ(error(directory.path() / "folder.png"),
            "folder.png: file: got a directory or a device, expected a regular file");
  EXPECT_EQ(error(directory.path() / "none.png"),
            "none.png: file: got \"No such file or directory\", expected a readable file");
  EXPECT_EQ(error(directory.write("empty.png", "")),
            "empty.png: image: got 0 bytes, expected PNG, JPEG, WebP, GIF, BMP or TIFF");
  EXPECT_EQ(error(directory.write("line\nbreak.png", "")),
            "line?break.png: image: got 0 bytes, expected PNG, JPEG, WebP, GIF, BMP or TIFF");
}

TEST(FileBytes, FilesThatMayNotBeReadAreSaidSo) {
  const TestDirectory directory;
  const auto path = directory.write("secret.png", "x");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  constexpr uid_t kNobody = 65534;  // the superuser reads everything
  const std::string error = error_within_limits([&] {
    if (::geteuid() != 0 || ::seteuid(kNobody) == 0) {
      read_media_file(path, MediaKind::kImage);
    }
  });
  EXPECT_EQ(error, "secret.png: file: got \"Permission denied\", expected a readable file");
}

TEST(FileBytes, SizeIsCheckedBeforeMemoryIsTaken) {
  const TestDirectory directory;
  const auto path = directory.write("huge", "");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40);  // a terabyte of nothing
  EXPECT_EQ(error_within_limits([&] { read_media_file(path, MediaKind::kImage); }),
            "huge: file: got 1099511627776 bytes, expected at most 268435456");
  EXPECT_EQ(error_within_limits([&] { read_media_file(path, MediaKind::kAudio); }),
            "huge: file: got 1099511627776 bytes, expected at most 536870912");
  EXPECT_EQ(error_within_limits([&] { read_media_file(path, MediaKind::kVideo); }),
            "huge: file: got 1099511627776 bytes, expected at most 1073741824");
}

TEST(FileBytes, NumbersOfBothByteOrders) {
  const std::string bytes("\x01\x02\xff\x04");
  EXPECT_EQ(big_endian(as_file(bytes), 0, 4), 0x0102ff04u);
  EXPECT_EQ(little_endian(as_file(bytes), 1, 2), 0xff02u);
  EXPECT_TRUE(has_text(as_file(bytes), 3, "\x04"));
  EXPECT_FALSE(has_text(as_file(bytes), 3, "\x04\x05"));
  EXPECT_FALSE(has_text(as_file(bytes), 9, ""));
}

}  // namespace
}  // namespace assay
