"""Records of the topics and what is counted from them: keys, accounts, envelopes, names."""
