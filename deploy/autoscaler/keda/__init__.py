"""The external scaler that KEDA polls."""
