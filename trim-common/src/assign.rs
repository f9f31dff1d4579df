//! The pure decision the XDP program makes for each packet: classify the flow, assign a strategy.
