"""The status page and the receipts: values in, text out. Pure: `qbwatch.publishing` asks, `qbwatch.edges` writes."""
