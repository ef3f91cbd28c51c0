// SPDX-License-Identifier: Apache-2.0
// A terminal taken over for a live view, and given back as it was.
#ifndef BANDIT_CLIENTS_CLI_TERMINAL_H_
#define BANDIT_CLIENTS_CLI_TERMINAL_H_

#include <termios.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace bandit::cli {

// What the process is told by signals and keys. Only one may live at a time.
// SIGINT, SIGTERM and SIGHUP ask to end; SIGWINCH and SIGTSTP are noted.
// Thread-safety: none.
class Attention {
 public:
  // Takes the signals' handling over, and gives it back at the end.
  Attention();
  ~Attention();
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  // Readable when a signal has come.
  int fd() const;
  // Forgets what made fd() readable.
  void Clear();
  // Since they were last asked.
  bool TakeEnd();
  bool TakeResize();
  bool TakeStop();
};

// The alternate screen, without echo and cursor, for as long as it lives.
// Thread-safety: none.
class Terminal {
 public:
  // Whether standard output and input are a terminal that can do this.
  static bool Usable();

  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Columns and rows; 80 by 24 where the terminal does not say.
  static void Size(size_t* width, size_t* height);

  // Puts the lines, not more than there are rows, in the place of the last
  // ones. A failure to write is not told: the terminal may just be gone.
  void Draw(absl::Span<const std::string> lines);

  enum class Key { kNone, kQuit, kUp, kDown, kPageUp, kPageDown, kHome, kGone };
  // The next key that means something, of those that were typed; kNone: no
  // more. kGone: the terminal has been closed.
  Key ReadKey();

  // To the shell and back, as Ctrl-Z and `fg` do.
  void Suspend();

 private:
  void Enter();
  void Leave();

  termios before_{};
  std::string typed_;
  bool gone_ = false;
};

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_TERMINAL_H_
