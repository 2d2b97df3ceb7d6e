"""`loopwright import`: catalogues and interactions from CSV files into the mesh, in time order, resumable."""
