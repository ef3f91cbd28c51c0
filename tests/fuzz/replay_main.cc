// SPDX-License-Identifier: Apache-2.0
// Runs a fuzzer over the files of its corpus, in builds without libFuzzer, so
// that what fuzzing once found stays found under every compiler.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS...\n", argv[0]);
    return 2;
  }
  size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator it(argv[i], error), end;
         !error && it != end; it.increment(error)) {
      if (!it->is_regular_file()) continue;
      std::ifstream file(it->path(), std::ios::binary);
      const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
      if (file.bad()) {
        std::fprintf(stderr, "cannot read %s\n", it->path().c_str());
        return 1;
      }
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()),
                             bytes.size());
      ++count;
    }
    if (error) {
      std::fprintf(stderr, "cannot read %s: %s\n", argv[i],
                   error.message().c_str());
      return 1;
    }
  }
  std::printf("%zu inputs\n", count);
  // A corpus that went missing must not pass for one that was run.
  return count == 0 ? 1 : 0;
}
