// SPDX-License-Identifier: Apache-2.0
#include "router/http2/lingering_close.h"

#include <array>
#include <cstdint>
#include <utility>

namespace bandit::http2 {
namespace {

constexpr int64_t kLongestNs = 1'000'000'000;
constexpr size_t kMost = size_t{256} * 1024;

// Kept alive by its wait.
class Lingering : public TimerWheel::Timer,
                  public std::enable_shared_from_this<Lingering> {
 public:
  Lingering(Loop& loop, std::unique_ptr<Transport> transport)
      : loop_(loop), transport_(std::move(transport)) {}
  ~Lingering() override {
    if (set()) loop_.wheel().Unset(*this);
  }

  void Start() {
    transport_->Shutdown();
    loop_.wheel().Set(*this, loop_.now() + kLongestNs);
    Drop();
  }

  // Drops the wait, and with it this object.
  void OnExpired() override {
    const auto self = shared_from_this();
    transport_->Close();
  }

 private:
  void Drop() {
    std::array<uint8_t, 16384> bytes;
    while (dropped_ < kMost) {
      const auto result = transport_->Read(bytes.data(), bytes.size());
      if (result.state == Transport::Result::State::kWouldBlock) {
        transport_->WaitRead([self = shared_from_this()] {
          if (self->set()) self->Drop();
        });
        return;
      }
      if (result.state == Transport::Result::State::kClosed) break;
      dropped_ += result.size;
    }
    loop_.wheel().Unset(*this);
    transport_->Close();
  }

  Loop& loop_;
  std::unique_ptr<Transport> transport_;
  size_t dropped_ = 0;
};

}  // namespace

void CloseLingering(Loop& loop, std::unique_ptr<Transport> transport) {
  std::make_shared<Lingering>(loop, std::move(transport))->Start();
}

}  // namespace bandit::http2
