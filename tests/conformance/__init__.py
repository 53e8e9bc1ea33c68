"""The conformance command: its rules against our own server, each rule against an answer that breaks it, its bounds."""
