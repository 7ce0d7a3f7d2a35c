"""Headers of every flat dataset in the words of its exporters, and lists as QuickBooks writes them to IIF."""

from __future__ import annotations

DESKTOP_LIST = (
    ',"Active Status","Customer","Balance","Balance Total","Company","Mr./Ms./...","First Name","M.I.","Last Name",'
    '"Primary Contact","Main Phone","Fax","Alt. Phone","Secondary Contact","Job Title","Main Email","Bill to 1",'
    '"Bill to 2","Bill to 3","Bill to 4","Bill to 5","Ship to 1","Ship to 2","Ship to 3","Ship to 4","Ship to 5",'
    '"Customer Type","Terms","Rep","Sales Tax Code","Tax item","Resale Num","Account No.","Credit Limit","Job Status",'
    '"Job Type","Job Description","Start Date","Projected End","End Date"'
)

# header → file name, dataset, the key's columns, and whether a column is left without a declaration
FORMS = {
    "Customer full name,Phone numbers,Email,Full name,Bill address,Ship address,Created on,Website,Terms,Note": (
        "Skerry Light LLC_Customer Contact List.csv", "customers", "customer_name"),
    DESKTOP_LIST: ("customer list.csv", "customers", "customer_name"),
    "JOB OR CUSTOMER NAME (REQUIRED),OPENING BALANCE,OPENING BALANCE AS OF (MMDDYYYY),COMPANY NAME,PHONE,EMAIL,"
    "BILLING ADDRESS 1,TERMS,CREDIT LIMIT": ("x.csv", "customers", "customer_name"),
    "Name,Company name,Street Address,City,State,Country,Zip,Phone,Email,Open Balance,Notes": (
        "Customers.csv", "customers", "customer_name"),
    "Full Name,Company,Email,Phone,Mobile,Fax,Website,Street,City,State,ZIP code,Country": (
        "Vendors.csv", "vendors", "vendor_name"),
    "Vendor,Phone numbers,Email,Full name,Address,Account #": ("x_Vendor Contact List.csv", "vendors", "vendor_name"),
    "S.No,Vendor Name,Company Name,Main Email,Main Phone,Terms,Status,Created Date,QuickBooks Internal Id": (
        "Vendor_04_14_2025.csv", "vendors", "quickbooks_internal_id"),
    "Product/Service Name,Sales Description,SKU,Type,Sales Price / Rate,Taxable,Income Account,Purchase Description,"
    "Purchase Cost,Expense Account,Quantity On Hand,Reorder Point,Inventory Asset Account": (
        "ProductServiceList__9341456449516862_04_13_2026.csv", "items", "item_name"),
    "Account #,Full name,Type,Detail type,Description,Total balance": (
        "Acme_Account List.csv", "accounts", "account_name"),
    "S.No,Account Name,Account Number,Account Type,Description,Current Balance,Status,QuickBooks Internal Id": (
        "Account.csv", "accounts", "quickbooks_internal_id"),
    "Name,Due days,Discount days": ("Terms.csv", "terms", "terms_name"),
    "*InvoiceNo,*Customer,*InvoiceDate,*DueDate,Terms,Location,Memo,Item(Product/Service),ItemDescription,ItemQuantity,"
    "ItemRate,*ItemAmount,ItemTaxCode,ItemTaxAmount,Currency,ServiceDate": (
        "import.csv", "invoices", "invoice_no invoice_date customer"),
    "Num,Customer,Invoice Date,Product/Service,Product/Service Amount": (
        "x.csv", "invoices", "invoice_no invoice_date customer"),
    "Trans #,Transaction number,Customer,Invoice Date,Product/Service Amount": ("x.csv", "invoices", "trans_no"),
    "RefNumber,Customer,TxnDate,DueDate,ShipMethodName,SalesTerm,BillAddrLine1,BillAddrCity,PrivateNote,Msg,Currency,"
    "ExchangeRate,LineItem,LineQty,LineDesc,LineUnitPrice,LineAmount,LineClass,LineTaxable,LineServiceDate": (
        "Invoices.csv", "invoices", "invoice_no invoice_date customer"),
    "RefNumber,Customer,TxnDate,PaymentMethod,PaymentRefNumber,BankAccount,LineItem,LineQty,LineAmount": (
        "Sales Receipt.csv", "sales_receipts", "sales_receipt_no sales_receipt_date customer"),
    "DocNumber,Txn Date,Customer Ref Display Name,Line Description,Line Amount,Line Sales Item Ref,SKU,"
    "Line Sales Item Unit Price,Line Sales Item Qty": (
        "Estimate.csv", "estimates", "estimate_no estimate_date customer"),
    "Trans #,Credit Memo No,Customer,Credit Memo Date,Product/Service,Product/Service  Amount,QuickBooks Internal Id": (
        "Credit Memo.csv", "credit_memos", "quickbooks_internal_id"),
    "Sales Order No,Sales Order Date,Customer,Product/Service,Product/Service Amount": (
        "x.csv", "sales_orders", "sales_order_no sales_order_date customer"),
    "Purchase Order No,Purchase Order Date,Vendor,Product/Service,Product/Service Amount": (
        "x.csv", "purchase_orders", "purchase_order_no purchase_order_date vendor"),
    "BillNo,Supplier,BillDate,DueDate,Account,LineDescription,LineAmount": (
        "x.csv", "bills", "bill_no bill_date vendor"),
    "Bill Payment No,Bill Payment Date,Vendor,Total Amount,Bill No,Applied Amount": (
        "x.csv", "bill_payments", "bill_payment_no bill_payment_date vendor"),
    "RefNumber,TxnDate,PaymentRefNumber,Customer,PaymentMethod,DepositToAccount,InvoiceApplyTo,LineAmount": (
        "x.csv", "payments", "payment_no payment_date customer"),
    "Check No,Check Date,Payee,Bank Account,Expense Account,Expense Amount,Memo": (
        "x.csv", "checks", "check_no check_date payee"),
    "Reference No,Charge Date,Payee,Credit Card,Expense Account,Expense Amount,QuickBooks Internal Id": (
        "Credit Card Charge.csv", "credit_card_charges", "quickbooks_internal_id"),
    "RefNumber,TxnDate,DepositToAccount,Entity,LineDesc,LineAmount,Account": (
        "x.csv", "deposits", "deposit_no deposit_date deposit_to"),
    "JournalNo,JournalDate,AccountName,Debits,Credits,Description,Name": (
        "x.csv", "journal_entries", "journal_no journal_date"),
    "RefNumber,TxnDate,IsAdjustment,Account,LineAmount,LineDesc,Entity": (
        "Journal Entry.csv", "journal_entries", "journal_no journal_date"),
    "Adjustment No,Adjustment Date,Adjustment Account,Product/Service,Quantity Difference": (
        "x.csv", "inventory_adjustments", "adjustment_no adjustment_date adjustment_account"),
    "Build No,Build Date,Assembly Item,Build Quantity,Component,Component Quantity": (
        "x.csv", "build_assemblies", "build_no build_date assembly_item"),
}  # fmt: skip

LISTS = b"""!HDR\tPROD\tVER\tREL\tIIFVER\tDATE\tTIME
HDR\tQuickBooks\t"Version 18\t"\tR15\t1\t04/14/25\t1744617600
!ACCNT\tNAME\tREFNUM\tACCNTTYPE\tOBAMOUNT\tBANKNUM\tHIDDEN
ACCNT\tBank\t2\tBANK\t"48,210.55"\t123456\tN
ACCNT\tBank:Winter\t3\tBANK\t-0.25\t\tY
ENDTAX
!INVITEM\tNAME\tINVITEMTYPE\tDESC\tQNTY\tQNTY\tPRICE\tHIDDEN
INVITEM\t"Oar, ash"\tINVENTORY\t"two\\nlines\tand a tab"\t"1,783"\t213.96\t-10%\tN
!INVITEM\tNAME\tINVITEMTYPE\tDESC\tTOPRINT\tQNTY\tHIDDEN
!ENDGRP
INVITEM\tKit\tGRP\tAll\tY\t\tN
INVITEM\t"Oar, ash"\tINVENTORY\t\tY\t2\tN
ENDGRP
INVITEM\tAfter\tSERV\t\tY\t\tN
!CUST\tNAME\tJOBSTART\tLIMIT\t
CUST\tAcme\t0/0/0\t"3,000.00"
CUST\tBeta\t4/1/25\t\t\t\t\t
!EMP\tNAME\tSSNO
EMP\tSomebody\t078-05-1120
!CLASS\tNAME
CLASS\tYard
"""
