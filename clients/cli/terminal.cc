// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace bandit::cli {
namespace {

constexpr int kEnd[] = {SIGINT, SIGTERM, SIGHUP};
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

// What handlers write: a signal comes at any time, on any thread.
std::atomic<bool> end_asked, resized, stop_asked;
int pipe_ends[2] = {-1, -1};
struct sigaction handled_before[NSIG];

void Note(int signal) {
  const int error = errno;
  if (signal == SIGWINCH) {
    resized = true;
  } else if (signal == SIGTSTP) {
    stop_asked = true;
  } else {
    end_asked = true;
  }
  const char byte = 0;
  // A full pipe is readable all the same.
  static_cast<void>(!write(pipe_ends[1], &byte, 1));
  errno = error;
}

void Handle(int signal) {
  struct sigaction action {};
  action.sa_handler = Note;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, &handled_before[signal]);
}

// All of it, unless the terminal is gone.
void WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

struct KeyName {
  std::string_view bytes;
  Terminal::Key key;
};
constexpr KeyName kKeys[] = {
    {"\x1b[A", Terminal::Key::kUp},      {"\x1bOA", Terminal::Key::kUp},
    {"\x1b[B", Terminal::Key::kDown},    {"\x1bOB", Terminal::Key::kDown},
    {"\x1b[5~", Terminal::Key::kPageUp}, {"\x1b[6~", Terminal::Key::kPageDown},
    {"\x1b[H", Terminal::Key::kHome},    {"q", Terminal::Key::kQuit},
    {"Q", Terminal::Key::kQuit},         {"k", Terminal::Key::kUp},
    {"j", Terminal::Key::kDown},         {" ", Terminal::Key::kPageDown},
    {"g", Terminal::Key::kHome},
};

}  // namespace

Attention::Attention() {
  end_asked = resized = stop_asked = false;
  if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
  for (const int signal : kEnd) Handle(signal);
  Handle(SIGWINCH);
  Handle(SIGTSTP);
}

Attention::~Attention() {
  for (const int signal : kEnd) {
    sigaction(signal, &handled_before[signal], nullptr);
  }
  sigaction(SIGWINCH, &handled_before[SIGWINCH], nullptr);
  sigaction(SIGTSTP, &handled_before[SIGTSTP], nullptr);
  for (int& end : pipe_ends) close(std::exchange(end, -1));
}

int Attention::fd() const { return pipe_ends[0]; }

void Attention::Clear() {
  char bytes[64];
  while (read(pipe_ends[0], bytes, sizeof bytes) > 0) {
  }
}

bool Attention::TakeEnd() { return end_asked.exchange(false); }
bool Attention::TakeResize() { return resized.exchange(false); }
bool Attention::TakeStop() { return stop_asked.exchange(false); }

bool Terminal::Usable() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && isatty(STDIN_FILENO) != 0 &&
         term != nullptr && std::string_view(term) != "dumb" && *term != '\0';
}

Terminal::Terminal() { Enter(); }

Terminal::~Terminal() { Leave(); }

void Terminal::Enter() {
  tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  // Signals stay: Ctrl-C must work whatever this program does.
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  WriteAll(kEnter);
}

void Terminal::Leave() {
  WriteAll(kLeave);
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

void Terminal::Suspend() {
  Leave();
  // Not SIGTSTP, which is handled. All threads stop here, until `fg`.
  raise(SIGSTOP);
  Enter();
}

void Terminal::Size(size_t* width, size_t* height) {
  winsize size{};
  *width = 80;
  *height = 24;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return;
  if (size.ws_col > 0) *width = size.ws_col;
  if (size.ws_row > 0) *height = size.ws_row;
}

void Terminal::Draw(absl::Span<const std::string> lines) {
  // In one write and without clearing first, so that nothing flickers.
  std::string bytes = "\x1b[H";
  for (size_t i = 0; i < lines.size(); ++i) {
    bytes += lines[i];
    bytes += "\x1b[K";
    if (i + 1 < lines.size()) bytes += "\r\n";
  }
  bytes += "\x1b[J";
  WriteAll(bytes);
}

Terminal::Key Terminal::ReadKey() {
  char bytes[64];
  const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
  // Raw as it is, no bytes is no end of file: an error is.
  if (count < 0 && errno != EINTR && errno != EAGAIN) gone_ = true;
  if (count > 0) typed_.append(bytes, static_cast<size_t>(count));
  while (!typed_.empty()) {
    for (const KeyName& name : kKeys) {
      if (!typed_.starts_with(name.bytes)) continue;
      typed_.erase(0, name.bytes.size());
      return name.key;
    }
    typed_.erase(0, 1);
  }
  return gone_ ? Key::kGone : Key::kNone;
}

}  // namespace bandit::cli
