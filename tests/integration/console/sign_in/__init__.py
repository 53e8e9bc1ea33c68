"""Access to the console: guard, sign-in and sign-out, over real HTTP."""
