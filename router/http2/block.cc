// SPDX-License-Identifier: Apache-2.0
#include "router/http2/block.h"

#include <cstdlib>
#include <new>

namespace bandit::http2 {
namespace {

// Free blocks kept per size class; a burst's memory beyond goes back.
constexpr std::array<size_t, 3> kKept = {256, 32, 8};

}  // namespace

BlockPool::~BlockPool() {
  for (auto& blocks : free_) {
    for (Block* block : blocks) std::free(block);
  }
}

BlockRef BlockPool::Allocate(SizeClass size_class) {
  auto& blocks = free_[size_class];
  Block* block;
  if (blocks.empty()) {
    void* memory = std::malloc(sizeof(Block) + kCapacity[size_class]);
    if (memory == nullptr) throw std::bad_alloc();
    block = new (memory) Block{.pool = this,
                               .capacity = kCapacity[size_class],
                               .used = 0,
                               .references = 0,
                               .size_class = size_class};
  } else {
    block = blocks.back();
    blocks.pop_back();
  }
  block->used = 0;
  block->references = 1;
  held_bytes_ += block->capacity;
  return BlockRef(block);
}

void BlockPool::Release(Block* block) {
  held_bytes_ -= block->capacity;
  auto& blocks = free_[block->size_class];
  if (blocks.size() < kKept[block->size_class]) {
    blocks.push_back(block);
  } else {
    std::free(block);
  }
}

}  // namespace bandit::http2
