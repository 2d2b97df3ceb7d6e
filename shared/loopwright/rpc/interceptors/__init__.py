"""Server interceptors, one concern per file; `chain.interceptors` puts them in their one order."""
