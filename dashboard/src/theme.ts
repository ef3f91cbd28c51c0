// SPDX-License-Identifier: Apache-2.0
// Light or dark: as the system has it, or as chosen here and remembered.
import {useEffect, useState} from 'preact/hooks';
import type {Theme} from './arms.js';

const kKey = 'bandit-theme';
const kDark = matchMedia('(prefers-color-scheme: dark)');

function chosen(): Theme | undefined {
  try {
    const kept = localStorage.getItem(kKey);
    return kept === 'light' || kept === 'dark' ? kept : undefined;
  } catch {
    return undefined;  // Storage may be forbidden.
  }
}

const current = (): Theme => chosen() ?? (kDark.matches ? 'dark' : 'light');

export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(current);
  useEffect(() => {
    const follow = () => setTheme(current());
    kDark.addEventListener('change', follow);
    return () => kDark.removeEventListener('change', follow);
  }, []);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const toggle = () => {
    const next = theme === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem(kKey, next);
    } catch {
      // It holds until the page is left.
    }
    setTheme(next);
  };
  return [theme, toggle];
}
