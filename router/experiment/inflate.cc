// SPDX-License-Identifier: Apache-2.0
// Inflate, of router/experiment/model_name.h.
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "fmt/format.h"
#include "router/experiment/model_name.h"

namespace bandit::experiment {
namespace {

// zlib's window bits: 15, plus 16 for the gzip header.
constexpr int kZlibWindow = 15;
constexpr int kGzipWindow = 15 + 16;
constexpr size_t kFirstOutput = 4096;

absl::Status TooLarge(size_t max_size) {
  return absl::ResourceExhaustedError(fmt::format(
      "the message inflates to more than the limit of {} bytes", max_size));
}

// Grows the output by doubling, so that a small message is not charged for the
// limit and a bomb is held only up to it.
absl::StatusOr<std::string> InflateAll(z_stream* stream, size_t max_size) {
  std::string out;
  int result = Z_OK;
  while (result != Z_STREAM_END) {
    const size_t done = out.size();
    // One byte beyond the limit tells "exactly full" from "too much".
    const size_t size =
        std::min(std::max(kFirstOutput, 2 * done), max_size + 1);
    out.resize(size);
    stream->next_out = reinterpret_cast<Bytef*>(out.data()) + done;
    stream->avail_out = static_cast<uInt>(size - done);
    result = inflate(stream, Z_NO_FLUSH);
    out.resize(size - stream->avail_out);
    if (out.size() > max_size) return TooLarge(max_size);
    if (result == Z_STREAM_END) break;
    if (result == Z_MEM_ERROR) {
      return absl::ResourceExhaustedError("no memory to inflate the message");
    }
    // Z_BUF_ERROR with room left: the input is used up before its end.
    const bool cut_short = stream->avail_in == 0 && stream->avail_out > 0;
    if (result != Z_OK || cut_short) {
      return absl::InvalidArgumentError(
          "the compressed message is damaged or cut short");
    }
  }
  if (stream->avail_in > 0) {
    return absl::InvalidArgumentError(
        "the compressed message is followed by other bytes");
  }
  return out;
}

}  // namespace

absl::StatusOr<std::string> Inflate(std::string_view encoding,
                                    std::string_view payload, size_t max_size) {
  if (encoding.empty() || encoding == "identity") {
    if (payload.size() > max_size) return TooLarge(max_size);
    return std::string(payload);
  }
  const bool gzip = encoding == "gzip";
  if (!gzip && encoding != "deflate") {
    return absl::UnimplementedError(fmt::format(
        "grpc-encoding \"{}\" cannot be inflated; gzip and deflate can",
        encoding));
  }
  // zlib counts in 32 bits.
  constexpr size_t kMostBytes = std::numeric_limits<uInt>::max() - 1;
  max_size = std::min(max_size, kMostBytes);
  if (payload.size() > kMostBytes) return TooLarge(max_size);
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(payload.data()));
  stream.avail_in = static_cast<uInt>(payload.size());
  if (inflateInit2(&stream, gzip ? kGzipWindow : kZlibWindow) != Z_OK) {
    return absl::ResourceExhaustedError("no memory to inflate a message");
  }
  absl::StatusOr<std::string> out = InflateAll(&stream, max_size);
  inflateEnd(&stream);
  return out;
}

}  // namespace bandit::experiment
