"""The Bing side: the wire contract of the Bing Maps Spatial Data Services. Imports nothing of the Azure SDKs."""
