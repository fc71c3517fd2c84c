using System.ComponentModel;

namespace Entrepot.Hosting;

/// <summary>The cluster's PostgreSQL.</summary>
public sealed class DatabaseSettings : IValidatableSection
{
    /// <summary>Npgsql's connection string, with or without the password.</summary>
    [Description("How to reach PostgreSQL, such as Host=postgres;Database=entrepot;Username=entrepot. The password may stand in it or in Password.")]
    [Secret]
    public string? ConnectionString { get; set; }

    /// <summary>The account's password, when the connection string has none.</summary>
    [Description("The account's password, when ConnectionString has none")]
    [Secret]
    public string? Password { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ConfigError> Validate(string path)
    {
        if (string.IsNullOrWhiteSpace(ConnectionString))
            yield return new ConfigError($"{path}:ConnectionString", null, "is missing", "write Host=HOST;Database=NAME;Username=NAME and give the password as Password or PasswordFile");
    }

    /// <summary>The connection string with the password in it.</summary>
    public string ToConnectionString() => string.IsNullOrEmpty(Password) ? ConnectionString! : $"{ConnectionString};Password=\"{Password.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
