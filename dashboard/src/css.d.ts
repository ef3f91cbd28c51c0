// esbuild takes them.
declare module '*.css';
