// SPDX-License-Identifier: Apache-2.0
// Sources of the marks: NumPy's npy format (NEP 1), PKWARE's APPNOTE 4.3.7, the GGUF page of ggml,
// Python's pickle protocols 2 to 5, RFC 8259, RFC 1952.
#include "conformance/records/file_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/records/dump.h"
#include "reference/family/testing/test_bytes.h"
#include "reference/family/testing/test_directory.h"

namespace assay::conformance {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string kind(const std::string& bytes) {
  return foreign_kind(as_file(bytes));
}

// The local header of an archive's first file, as zipfile writes it.
std::string zip(const std::string& name) {
  std::string bytes("PK\x03\x04", 4);
  bytes += std::string(22, '\0') + static_cast<char>(name.size()) + std::string(3, '\0');
  return bytes + name + "data";
}

TEST(FileKind, KnowsWhatPeopleHandIn) {
  EXPECT_EQ(kind(std::string("\x93NUMPY\x01\x00v\x00{'descr': '<f4'", 26)), "a NumPy array (.npy)");
  EXPECT_EQ(kind(zip("text.logits.npy")), "a NumPy archive (.npz)");
  EXPECT_EQ(kind(zip("archive/data.pkl")), "a PyTorch file");
  EXPECT_EQ(kind(zip("word/document.xml")), "a zip archive");
  EXPECT_EQ(kind(std::string("PK\x05\x06", 4) + std::string(18, '\0')), "a zip archive");
  EXPECT_EQ(kind("{\"text.logits\": [[1, 2]]}"), "JSON");
  EXPECT_EQ(kind("\n [1, 2]"), "JSON");
  EXPECT_EQ(kind("tap,value\ntext.logits,1\n"), "text");
  EXPECT_EQ(kind("GGUF\x03"), "a GGUF file");
  EXPECT_EQ(kind(std::string("\x80\x04\x95\x00\x00", 5)), "a Python pickle");
  EXPECT_EQ(kind("\x1F\x8B\x08"), "a compressed file");
  EXPECT_EQ(kind(std::string(257, '\0') + "ustar"), "a tar archive");
  EXPECT_EQ(kind("\x89PNG\r\n\x1A\n"), "PNG");
  EXPECT_EQ(kind("%PDF-1.7\n1 0 obj\n"), "a PDF document");
  EXPECT_EQ(kind(""), "an empty file");
  EXPECT_EQ(kind("\x01\x02\x03\x04\x05\x06\x07\x08\x09"), "a file of no kind that is known here");
}

TEST(FileKind, LeavesDumpsAlone) {
  EXPECT_EQ(kind("\x89HDF\r\n\x1A\n"), "");
  EXPECT_EQ(kind(safetensors_file("{}", 0)), "");
  // Whose length begins as something else does: 0x7B, a brace; 0x80 0x02, a pickle.
  EXPECT_EQ(kind(safetensors_file("{" + std::string(0x7A, ' '), 4)), "");
  EXPECT_EQ(kind(safetensors_file("{" + std::string(0x27F, ' '), 4)), "");
  // A length that a cut file does not reach is told by the reader, with both numbers.
  EXPECT_EQ(kind(safetensors_file("{}", 0, 5000)), "");
}

// Every beginning of every kind is some kind or none, and nothing is read past its end.
TEST(FileKind, IsAskedAboutCutFiles) {
  for (const std::string& whole : {zip("a/data.pkl"), zip("x.npy"), std::string("\x93NUMPY"),
                                   safetensors_file("{}", 4), std::string("GGUF")}) {
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      kind(whole.substr(0, length));
    }
  }
}

TEST(FileKind, IsOneLineOfADump) {
  const TestDirectory folder;
  const auto refused = [&](const std::string& name, const std::string& bytes) {
    const auto path = folder.write(name, bytes);
    return error_of([&] { read_dump(path); });
  };
  EXPECT_EQ(refused("a.npz", zip("text.logits.npy")),
            "a.npz: file: got a NumPy archive (.npz), expected safetensors or HDF5; python3 "
            "scripts/ports/to_dump.py a.npz mine.safetensors converts it");
  EXPECT_THAT(refused("a.npy", "\x93NUMPY"),
              HasSubstr("a.npy mine.safetensors --tap NAME converts"));
  EXPECT_THAT(refused("a.safetensors", "{\"a\": 1}"),
              AllOf(StartsWith("a.safetensors: file: got JSON, expected safetensors or HDF5"),
                    HasSubstr("converts it")));
  EXPECT_THAT(refused("a.gguf", "GGUF\x03"), HasSubstr("a GGUF holds a model"));
  EXPECT_THAT(refused("a.h5", ""), HasSubstr("got an empty file"));
}

}  // namespace
}  // namespace assay::conformance
