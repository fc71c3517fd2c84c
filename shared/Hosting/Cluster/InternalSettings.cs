using System.ComponentModel;

namespace Entrepot.Hosting;

/// <summary>How the cluster's own processes speak to each other.</summary>
public sealed class InternalSettings : IValidatableSection
{
    private const int ShortestToken = 16;

    /// <summary>What the api shows a fetcher to read a running download.</summary>
    [Description("The same secret for all processes: with it an api replica reads a running download from its fetcher. At least 16 characters.")]
    [Secret]
    public string? Token { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ConfigError> Validate(string path)
    {
        if (Token is not { Length: >= ShortestToken })
            yield return new ConfigError($"{path}:Token", null, Token is null ? "is missing" : $"has fewer than {ShortestToken} characters", "give the same long random text to all processes, as Token or TokenFile");
    }
}
