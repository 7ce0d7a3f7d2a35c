{#- The domain of the first e-mail address in a text, in lower case; null where there is none. -#}
{% macro email_domain(expression) -%}
    substring(lower({{ expression }}) from '@([a-z0-9][a-z0-9.-]*\.[a-z]{2,})')
{%- endmacro %}

{#-
    Domains whose addresses belong to anybody: two customers who share one have nothing else in common. Spelled out
    here, since it is short, changes rarely, and a build must not depend on anything that is fetched.
-#}
{% macro free_mail_domains() -%}
    (
        'aol.com', 'att.net', 'bellsouth.net', 'comcast.net', 'cox.net', 'earthlink.net', 'fastmail.com', 'gmail.com',
        'gmx.com', 'gmx.de', 'gmx.net', 'googlemail.com', 'hotmail.co.uk', 'hotmail.com', 'icloud.com', 'juno.com',
        'live.com', 'mac.com', 'mail.com', 'me.com', 'msn.com', 'optonline.net', 'outlook.com', 'proton.me',
        'protonmail.com', 'rocketmail.com', 'sbcglobal.net', 'verizon.net', 'web.de', 'yahoo.ca', 'yahoo.co.uk',
        'yahoo.com', 'ymail.com', 'zoho.com'
    )
{%- endmacro %}
