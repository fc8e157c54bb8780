// Loaded before the program (test/elsewhere.ts): what node says of a Mac.
Object.defineProperty(process, 'platform', { value: 'darwin' });
