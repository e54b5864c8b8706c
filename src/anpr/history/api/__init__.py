"""The API by which sites ask this site's history about one vehicle: who may ask, how often, and what is recorded."""
