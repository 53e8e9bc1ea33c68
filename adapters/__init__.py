"""The Azure side: tables, blobs and credentials. Knows no HTTP server and no Bing format."""
