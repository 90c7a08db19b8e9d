"""The external scaler that KEDA polls over gRPC."""
