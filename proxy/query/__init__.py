"""The Query API's language, engine and answers (query-api.md): pure, without HTTP, storage, settings or clock."""
