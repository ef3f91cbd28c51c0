// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/html_page.h"

#include "clients/cli/svg.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #626a73;
  --line: #d5dae0; --page: #ffffff; --card: #f6f8fa; --plain: #57606a;
  --accent: #0a62c9; --good: #116329; --bad: #b3261e; --wait: #8a5a00;
  --s1: #c2410c; --s2: #0f766e; --s3: #7e22ce; --s4: #a16207; --s5: #be185d;
  --s6: #4d7c0f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4af;
  --line: #363d45; --page: #14171a; --card: #1d2126; --plain: #9aa4af;
  --accent: #6cb0ff; --good: #6bd08a; --bad: #ff8a80; --wait: #e8b44f;
  --s1: #fb923c; --s2: #2dd4bf; --s3: #c084fc; --s4: #facc15; --s5: #f472b6;
  --s6: #a3e635; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--page); margin: 0 auto; max-width: 70rem;
  padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.soft { color: var(--soft); }
.next { border-left: .35rem solid var(--wait); background: var(--card);
  padding: .8rem 1.1rem; margin: 1.4rem 0; border-radius: .3rem; }
.next b { font-size: 1.15rem; }
.next.PROMOTE { border-color: var(--good); }
.next.ROLL_BACK, .next.INVESTIGATE { border-color: var(--bad); }
.next p { margin: .3rem 0 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%;
  font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .35rem .6rem; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: normal;
  vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; max-width: 46rem; display: block; margin: .9rem 0; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.grid { stroke: var(--line); } .zero { stroke: var(--soft); stroke-width: 2; }
.bar { fill: var(--accent); opacity: .75; }
.thin { stroke-width: 2; } .thick { stroke-width: 7; opacity: .55; }
.plain line { stroke: var(--plain); } .plain circle { fill: var(--plain); }
.accent line { stroke: var(--accent); } .accent circle { fill: var(--accent); }
.line { fill: none; stroke-width: 2; } .band { opacity: .15; }
.swatch { display: inline-block; width: 1.2em; height: .3em;
  vertical-align: middle; margin: 0 .4em 0 1em; }
.s0 { --c: var(--accent); } .s1 { --c: var(--s1); }
.s2 { --c: var(--s2); } .s3 { --c: var(--s3); } .s4 { --c: var(--s4); }
.s5 { --c: var(--s5); } .s6 { --c: var(--s6); } .s7 { --c: var(--plain); }
.line.s0, .line.s1, .line.s2, .line.s3, .line.s4, .line.s5, .line.s6,
.line.s7 { stroke: var(--c); }
.band.s0, .band.s1, .band.s2, .band.s3, .band.s4, .band.s5, .band.s6,
.band.s7 { fill: var(--c); }
.swatch { background: var(--c); }
details { margin: .4rem 0; } li { margin: .2rem 0; }
summary { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (max-width: 40rem) { body { padding: 1rem .9rem 3rem; }
  svg text { font-size: 19px; } }
)css";

}  // namespace

std::string_view PageStyle() { return kStyle; }

std::string HtmlTable(const std::vector<std::vector<std::string>>& rows) {
  // What scrolls must be reached by the keyboard.
  std::string html =
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
      "aria-label=\"table\"><table>\n";
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string_view cell = i == 0 ? "th" : "td";
    html += "<tr>";
    for (const std::string& text : rows[i]) {
      html += fmt::format("<{0}>{1}</{0}>", cell, Escaped(text));
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace bandit::cli
