"""Pure parts, without Azurite and Node.js."""
