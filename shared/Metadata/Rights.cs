namespace Entrepot.Metadata;

/// <summary>Why a repository may serve a digest. Which of them suffice depends on the trust domain, which the caller knows.</summary>
[Flags]
public enum Rights
{
    /// <summary>Nothing speaks for it.</summary>
    None = 0,

    /// <summary>It was downloaded through this very repository.</summary>
    Downloaded = 1,

    /// <summary>This repository's upstream confirmed it, by HEAD.</summary>
    Confirmed = 2,

    /// <summary>A manifest of this very repository lists it.</summary>
    Listed = 4,
}
