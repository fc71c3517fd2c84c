using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Oci;

/// <summary>
/// How a registry wants its clients to authenticate. A closed set: <see cref="Bearer"/> or <see cref="Basic"/>. Nothing in it has been
/// checked: the realm is what a stranger wrote. Source: RFC 9110 §11.6.1; Docker's token authentication specification.
/// </summary>
public abstract record TokenChallenge
{
    private TokenChallenge()
    {
    }

    /// <summary>
    /// The best challenge of a WWW-Authenticate header: the first Bearer that has a realm, else the first Basic. Schemes and parameters
    /// that are not known are passed over. Never throws.
    /// </summary>
    /// <param name="wwwAuthenticate">The header's value, lines joined by commas; null when it is absent.</param>
    /// <param name="challenge">The challenge, when there is one of ours.</param>
    public static bool TryParse(string? wwwAuthenticate, [NotNullWhen(true)] out TokenChallenge? challenge)
    {
        TokenChallenge? basic = null;
        var reader = new ChallengeReader(wwwAuthenticate);
        while (reader.NextScheme(out var scheme))
        {
            string? realm = null, service = null, scope = null;
            while (reader.NextParameter(out var name, out var value))
            {
                // The first of a name counts: a repeated parameter is an error of the sender.
                if (name.Equals("realm", StringComparison.OrdinalIgnoreCase))
                    realm ??= value;
                else if (name.Equals("service", StringComparison.OrdinalIgnoreCase))
                    service ??= value;
                else if (name.Equals("scope", StringComparison.OrdinalIgnoreCase))
                    scope ??= value;
            }

            if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) && !string.IsNullOrEmpty(realm))
            {
                challenge = new Bearer(realm, service, scope);
                return true;
            }

            if (scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
                basic ??= new Basic(realm ?? "");
        }

        challenge = basic;
        return challenge is not null;
    }

    /// <summary>Ask <paramref name="Realm"/> for a token.</summary>
    /// <param name="Realm">The token server's address, unchecked; never empty.</param>
    /// <param name="Service">The name to ask it with, if given.</param>
    /// <param name="Scope">What the refused request needed, such as <c>repository:library/nginx:pull</c>, if given.</param>
    public sealed record Bearer(string Realm, string? Service, string? Scope) : TokenChallenge;

    /// <summary>Send user name and password.</summary>
    /// <param name="Realm">What they are for, in words; may be empty.</param>
    public sealed record Basic(string Realm) : TokenChallenge;
}
