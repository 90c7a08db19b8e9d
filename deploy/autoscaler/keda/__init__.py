"""KEDA asks here how many replicas a pool should have (gRPC, its external scaler contract)."""
