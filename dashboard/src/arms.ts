// SPDX-License-Identifier: Apache-2.0
// How arms are told apart: by colour and by dash, so that neither is needed
// alone. The colours are Okabe and Ito's, which most colour-blind people can
// tell apart, darkened or lightened to 3:1 against the theme's ground.

export type Theme = 'light' | 'dark';

const kColours: Record<Theme, string[]> = {
  light: ['#0072b2', '#c24e00', '#00805c', '#a8487f', '#8a6300', '#4b4b4b',
          '#5b4bc4', '#7a3e00'],
  dark: ['#56b4e9', '#ff8a3d', '#2bcf9e', '#e79ac8', '#f0c24b', '#c9c9c9',
         '#aaa2ff', '#d9a066'],
};

const kDashes: number[][] = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2],
                             [14, 5], [2, 6], [8, 3, 2, 3, 2, 3]];

export const colour = (arm: number, theme: Theme) =>
    kColours[theme][arm % kColours[theme].length]!;
export const dash = (arm: number) => kDashes[arm % kDashes.length]!;
