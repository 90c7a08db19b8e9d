"""Which dashboards does Grafana show? Tables of panels, from which `make dashboards` writes the JSON."""
