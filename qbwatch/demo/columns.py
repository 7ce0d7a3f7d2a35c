"""The exporter's header lines, letter by letter.

Its spelling is part of what a reader has to cope with: ``Product/Service  Amount`` has two spaces on invoices and one
on receipts, ``Billing Address Line1`` has no space on invoices, and ``Tax Persentage`` is the exporter's own.
"""

from __future__ import annotations


def _columns(header_line: str) -> tuple[str, ...]:
    """The columns of a header line; no column name holds a comma."""
    return tuple(header_line.split(","))


CUSTOMER = _columns(
    "S.No,Customer Name,Company Name,First Name,Middle Name,Last Name,Job Title,Main Email,CC Email,Main Phone,"
    "Alt. Phone,Work Phone,Mobile,Fax,Customer Type,Terms,Sales Rep,Preferred Delivery Method,"
    "Preferred Payment Method,Credit Limit,Price Level,Account Number,Current Balance,Tax Code,Tax Item,Resale No,"
    "Billing Address Line 1,Billing Address Line 2,Billing Address Line 3,Billing Address Line 4,"
    "Billing Address Line 5,Billing Address City,Billing Address State,Billing Address Postal Code,"
    "Billing Address Country,Shipping Address Line 1,Shipping Address Line 2,Shipping Address Line 3,"
    "Shipping Address Line 4,Shipping Address Line 5,Shipping Address City,Shipping Address State,"
    "Shipping Address Postal Code,Shipping Address Country,Job Description,Job Type,Job Status,Start Date,"
    "Projected End Date,End Date,Industry,Source Channel,Notes,Additional Notes,Other 1,Status,Trans #,"
    "Created Date,Modified Date,External Id,QuickBooks Internal Id"
)

ITEM = _columns(
    "S.No,Item Name,Item Type,Item Subtype,U/M,Manufacturer's Part Number,Purchase Cost,Purchase Description,"
    "COGS Account,Preferred Vendor,Sales Price,Sales Description,Sales Tax Code,Income Account,Expense Account,"
    "Asset Account,Class,Bar Code,Min Re-Order Point,Max Re-Order Point,Quantity On Hand,Quantity On Order,"
    "Quantity On Sales Order,Inventory Date,Status,Trans #,QuickBooks Internal Id,Unit Weight (kg),UPC"
)

INVOICE = _columns(
    "S.No,Trans #,Invoice No,Customer,Invoice Date,Due Date,Ship Date,Shipping Method,Terms,Status,Class,PO Number,"
    "Customer Message,Memo,Template,Currency,Exchange Rate,Sales Rep,FOB,Other,Sales Tax,Product/Service,"
    "Product/Service Description,Product/Service Quantity,Product/Service Rate,Product/Service  Amount,"
    "Product/Service Class,Product/Service Service Date,Product/Service Sales Tax,Inventory Site,Inventory Bin,"
    "Unit of Measure,Serial No,Lot No,Other 1,Other 2,Total Tax,Tax Persentage,Total Amount,"
    "Customer Sales Tax Code,Print Later,Email Later,Billing Address Line1,Billing Address Line2,"
    "Billing Address Line3,Billing Address Line4,Billing Address Line5,Billing Address City,"
    "Billing Address State,Billing Address Postal Code,Billing Address Country,Shipping Address Line1,"
    "Shipping Address Line2,Shipping Address Line3,Shipping Address Line4,Shipping Address Line5,"
    "Shipping Address City,Shipping Address State,Shipping Address Postal Code,Shipping Address Country,"
    "AR Account,External Id,Industry,Source Channel,Price Level,Unit Weight (kg),UPC,Balance Due,Linked Payments,"
    "Account Number,Created Date,Modified Date,QuickBooks Internal Id"
)

SALES_RECEIPT = _columns(
    "S.No,Sales Receipt No,Customer,Sales Receipt Date,Payment Method,Reference No,Deposit To,Due Date,Ship Date,"
    "Shipping Method,Class,Message to Customer,Memo,Template,Currency,Exchange Rate,Sales Rep,FOB,Other,"
    "Product/Service,Product/Service Description,Product/Service Quantity,Product/Service Rate,"
    "Product/Service Amount,Product/Service Class,Product/Service Service Date,Product/Service Sales Tax Code,"
    "Inventory Site,Inventory Bin,Unit of Measure,Other 1,Other 2,Total Tax,Total Amount,Customer Sales Tax Code,"
    "Print Later,Email Later,Is Pending,Billing Address Line 1,Billing Address Line 2,Billing Address Line 3,"
    "Billing Address City,Billing Address State,Billing Address Postal Code,Shipping Address Line 1,"
    "Shipping Address Line 2,Shipping Address Line 3,Shipping Address City,Shipping Address State,"
    "Shipping Address Postal Code,Industry,Source Channel,Price Level,Unit Weight (kg),UPC,Created Date,"
    "Modified Date,QuickBooks Internal Id"
)
