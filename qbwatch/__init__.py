"""qbwatch: is my QuickBooks data current, and is it right?"""

__version__ = "0.1.0"
