using System.ComponentModel;

namespace Entrepot.Hosting;

/// <summary>The cluster's RabbitMQ.</summary>
public sealed class BusSettings : IValidatableSection
{
    /// <summary>The broker's address.</summary>
    [Description("Where RabbitMQ is: amqp://HOST:5672/VHOST, or amqps:// for TLS.")]
    public string? Url { get; set; }

    /// <summary>The account.</summary>
    [Description("The account at RabbitMQ")]
    public string Username { get; set; } = "guest";

    /// <summary>The account's password.</summary>
    [Description("The account's password")]
    [Secret]
    public string? Password { get; set; } = "guest";

    /// <inheritdoc/>
    public IEnumerable<ConfigError> Validate(string path)
    {
        if (string.IsNullOrWhiteSpace(Url))
            yield return new ConfigError($"{path}:Url", null, "is missing", "write amqp://HOST:5672/");
        else if (!Uri.TryCreate(Url, UriKind.Absolute, out var url) || url.Scheme is not ("amqp" or "amqps"))
            yield return new ConfigError($"{path}:Url", Url, "is no amqp:// or amqps:// address", "write amqp://HOST:5672/");
        else if (url.UserInfo.Length > 0)
            yield return new ConfigError($"{path}:Url", $"{url.Scheme}://***@{url.Authority}", "holds an account, and addresses are logged", "write it in Username and Password");
    }
}
